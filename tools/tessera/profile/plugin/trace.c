/*
 * QEMU plugin: what runs between the marks of firmware/serve/marks.c.
 *
 * A *block* is a run of instructions without a branch inside, as QEMU translates it; a *region* is what a mark begins:
 * a step of the model, the engine between steps, a whole run without a hook. The last mark begins what nobody counts.
 * Per region: how often each block runs and how often another block than the one behind it follows; accesses of each
 * memory, unaligned ones, and the lowest byte of the stack that is stored to. All of it goes to a file as one JSON
 * object when QEMU ends; what it means is Python's business (trace.py).
 *
 * Arguments: out=FILE; intervals marks=BEGIN:END and stack=BEGIN:END; any number of own=BEGIN:END, code that reads
 * marks and is never counted, and of memory=BEGIN:END. Numbers are hexadecimal, intervals half-open.
 */
#include "qemu_plugin.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

QEMU_PLUGIN_EXPORT int qemu_plugin_version = TESS_PLUGIN_API;

enum { MAX_OWN = 8, MAX_MEMORIES = 8, BUCKETS = 1 << 14 };

typedef struct {
    uint64_t begin, end;
} interval_t;

typedef struct {
    uint64_t runs;
    uint64_t left;      /* of them, those after which another block than the one behind it followed */
    uint64_t unaligned; /* accesses that were */
} tally_t;

typedef struct block {
    interval_t code;
    size_t instructions;
    bool own;
    bool calls;       /* is followed by own code */
    tally_t *tallies; /* [regions], from its first counted run on */
    struct block *next;
} block_t;

typedef struct {
    uint64_t loads[MAX_MEMORIES], stores[MAX_MEMORIES];
    uint64_t stack_low; /* UINT64_MAX if nothing was stored there */
} accesses_t;

static struct {
    char *out;
    interval_t marks, stack, own[MAX_OWN], memories[MAX_MEMORIES];
    size_t own_count, memory_count, regions;
} options;

static block_t *blocks[BUCKETS];
static accesses_t *accesses;
static size_t region; /* options.regions: outside */
static block_t *last;
static tally_t *last_tally;

static bool inside(const interval_t *interval, uint64_t address)
{
    return address >= interval->begin && address < interval->end;
}

/* Running -------------------------------------------------------------------------------------------------------- */

static void on_block(unsigned int vcpu, void *userdata)
{
    block_t *block = userdata;
    (void)vcpu;
    if (last != NULL && last->code.end != block->code.begin) {
        last_tally->left++;
    }
    if (last != NULL && block->own) {
        last->calls = true;
    }
    last = NULL;
    if (block->own || region == options.regions) {
        return;
    }
    if (block->tallies == NULL) {
        block->tallies = calloc(options.regions, sizeof *block->tallies);
    }
    last = block;
    last_tally = &block->tallies[region];
    last_tally->runs++;
}

static void on_mark(unsigned int vcpu, qemu_plugin_meminfo_t info, uint64_t address, void *userdata)
{
    (void)vcpu;
    (void)info;
    (void)userdata;
    if (inside(&options.marks, address)) {
        region = address - options.marks.begin;
    }
}

static void on_access(unsigned int vcpu, qemu_plugin_meminfo_t info, uint64_t address, void *userdata)
{
    (void)vcpu;
    (void)userdata;
    if (last == NULL) {
        return;
    }
    accesses_t *here = &accesses[region];
    const bool store = qemu_plugin_mem_is_store(info);
    last_tally->unaligned += (address & ((1u << qemu_plugin_mem_size_shift(info)) - 1)) != 0;
    for (size_t i = 0; i < options.memory_count; i++) {
        if (inside(&options.memories[i], address)) {
            (store ? here->stores : here->loads)[i]++;
            break;
        }
    }
    if (store && address < here->stack_low && inside(&options.stack, address)) {
        here->stack_low = address;
    }
}

/* Translation ---------------------------------------------------------------------------------------------------- */

static bool is_own(uint64_t address)
{
    for (size_t i = 0; i < options.own_count; i++) {
        if (inside(&options.own[i], address)) {
            return true;
        }
    }
    return false;
}

/* Bytes of a Thumb instruction, by its first halfword (Armv7-M ARM, A5.1): of one that straddles pages QEMU 7.2 tells
 * the first half only. */
static size_t size_of(const struct qemu_plugin_insn *insn)
{
    uint8_t half[4] = {0};
#if TESS_PLUGIN_API >= 3
    qemu_plugin_insn_data(insn, half, 2);
#else
    memcpy(half, qemu_plugin_insn_data(insn), 2);
#endif
    return half[1] >> 3 >= 0x1d ? 4 : 2;
}

/* QEMU translates the same code again whenever its cache is full. */
static block_t *block_of(struct qemu_plugin_tb *tb)
{
    const size_t count = qemu_plugin_tb_n_insns(tb);
    const uint64_t begin = qemu_plugin_tb_vaddr(tb);
    block_t **bucket = &blocks[(begin >> 1) % BUCKETS];
    for (block_t *block = *bucket; block != NULL; block = block->next) {
        if (block->code.begin == begin && block->instructions == count) {
            return block;
        }
    }
    block_t *block = calloc(1, sizeof *block);
    uint64_t end = begin;
    for (size_t i = 0; i < count; i++) {
        end += size_of(qemu_plugin_tb_get_insn(tb, i));
    }
    block->code = (interval_t){begin, end};
    block->instructions = count;
    block->own = is_own(begin);
    block->next = *bucket;
    *bucket = block;
    return block;
}

static void on_translation(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
    block_t *block = block_of(tb);
    (void)id;
    qemu_plugin_register_vcpu_tb_exec_cb(tb, on_block, QEMU_PLUGIN_CB_NO_REGS, block);
    for (size_t i = 0; i < block->instructions; i++) {
        struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
        /* both ways: who asks QEMU 7.2 for loads only is told of stores only */
        qemu_plugin_register_vcpu_mem_cb(insn, block->own ? on_mark : on_access, QEMU_PLUGIN_CB_NO_REGS,
                                         QEMU_PLUGIN_MEM_RW, NULL);
    }
}

/* Beginning and end ---------------------------------------------------------------------------------------------- */

static void write_block(FILE *file, const block_t *block, const char *separator)
{
    const char *comma = "";
    fprintf(file, "%s\n{\"begin\":%" PRIu64 ",\"end\":%" PRIu64 ",\"calls\":%s,\"runs\":[", separator,
            block->code.begin, block->code.end, block->calls ? "true" : "false");
    for (size_t i = 0; i < options.regions; i++) {
        if (block->tallies[i].runs > 0) {
            fprintf(file, "%s[%zu,%" PRIu64 ",%" PRIu64 ",%" PRIu64 "]", comma, i, block->tallies[i].runs,
                    block->tallies[i].left, block->tallies[i].unaligned);
            comma = ",";
        }
    }
    fprintf(file, "]}");
}

static void write_counts(FILE *file, const char *key, const uint64_t *counts)
{
    fprintf(file, "\"%s\":[", key);
    for (size_t i = 0; i < options.memory_count; i++) {
        fprintf(file, "%s%" PRIu64, i > 0 ? "," : "", counts[i]);
    }
    fprintf(file, "],");
}

static void write_accesses(FILE *file, const accesses_t *here, const char *separator)
{
    fprintf(file, "%s\n{", separator);
    write_counts(file, "loads", here->loads);
    write_counts(file, "stores", here->stores);
    fprintf(file, "\"stack_bytes\":%" PRIu64 "}",
            here->stack_low == UINT64_MAX ? 0 : options.stack.end - here->stack_low);
}

static void on_exit_of_qemu(qemu_plugin_id_t id, void *userdata)
{
    const char *separator = "";
    FILE *file = fopen(options.out, "w");
    (void)id;
    (void)userdata;
    if (file == NULL) {
        perror(options.out);
        return;
    }
    fprintf(file, "{\"blocks\":[");
    for (size_t i = 0; i < BUCKETS; i++) {
        for (const block_t *block = blocks[i]; block != NULL; block = block->next) {
            if (block->tallies != NULL) {
                write_block(file, block, separator);
                separator = ",";
            }
        }
    }
    fprintf(file, "],\n\"regions\":[");
    for (size_t i = 0; i < options.regions; i++) {
        write_accesses(file, &accesses[i], i > 0 ? "," : "");
    }
    fprintf(file, "]}\n");
    fclose(file);
}

static bool read_interval(const char *text, interval_t *interval)
{
    char *end;
    interval->begin = strtoull(text, &end, 16);
    if (*end != ':') {
        return false;
    }
    interval->end = strtoull(end + 1, &end, 16);
    return *end == 0;
}

static bool read_option(const char *text)
{
    const char *equals = strchr(text, '=');
    if (equals == NULL) {
        return false;
    }
    const size_t length = (size_t)(equals - text);
    const char *value = equals + 1;
    if (strncmp(text, "out", length) == 0) {
        options.out = strdup(value);
        return true;
    }
    if (strncmp(text, "marks", length) == 0 && read_interval(value, &options.marks)) {
        options.regions = options.marks.end - options.marks.begin - 1;
        return true;
    }
    if (strncmp(text, "stack", length) == 0) {
        return read_interval(value, &options.stack);
    }
    if (strncmp(text, "own", length) == 0 && options.own_count < MAX_OWN) {
        return read_interval(value, &options.own[options.own_count++]);
    }
    if (strncmp(text, "memory", length) == 0 && options.memory_count < MAX_MEMORIES) {
        return read_interval(value, &options.memories[options.memory_count++]);
    }
    return false;
}

QEMU_PLUGIN_EXPORT int qemu_plugin_install(qemu_plugin_id_t id, const qemu_info_t *info, int argc, char **argv)
{
    (void)info;
    for (int i = 0; i < argc; i++) {
        if (!read_option(argv[i])) {
            fprintf(stderr, "trace plugin: cannot read %s\n", argv[i]);
            return -1;
        }
    }
    accesses = calloc(options.regions, sizeof *accesses);
    for (size_t i = 0; i < options.regions; i++) {
        accesses[i].stack_low = UINT64_MAX;
    }
    region = options.regions;
    qemu_plugin_register_vcpu_tb_trans_cb(id, on_translation);
    qemu_plugin_register_atexit_cb(id, on_exit_of_qemu, NULL);
    return 0;
}
