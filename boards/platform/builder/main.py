"""SCons script: the library, the port, the app and one generated model, linked for one board or its simulated twin.

Library and port objects are shared by all models of an environment; a model's objects and its app's lie in a folder of
their own, so that building for one model after another compiles only what differs.
"""

import hashlib
import os
import shlex
from pathlib import Path

from SCons.Script import COMMAND_LINE_TARGETS, AlwaysBuild, Default, DefaultEnvironment

LIBRARIES = ("detect", "telemetry", "tessera")
# Measured on whole models: with the kernels of Armv7E-M, whose loops are assembly, -Os executes 0.0 to 0.2 % more
# instructions than -O2 and saves 7 % of the code; portable kernels and the stage engine need -O2. The same in
# tools/tessera/firmware/code_size.py.
SMALL, FAST = "-Os", ["-O2", "-fno-tree-loop-distribute-patterns"]  # copies stay in words, newlib's go by bytes

env = DefaultEnvironment()
platform = env.PioPlatform()
board = env.BoardConfig()
tessera = board.get("tessera")
simulated = env.GetProjectOption("custom_simulated") == "yes"
place = tessera["place"]
port = tessera["simulator"]["port"] if simulated else tessera["port"]

root = Path(env.subst("$PROJECT_DIR"))
firmware = root / "firmware"
app = env.GetProjectOption("custom_app", "") or "infer"
model_dir = env.GetProjectOption("custom_model_dir", "")
if not model_dir:
    env.Exit("TESSERA_MODEL_DIR is not set: it names the folder of the generated model")
model = Path(model_dir).resolve()
if not (model / "tess_model_config.h").is_file():
    env.Exit(f"{model_dir} holds no tess_model_config.h")
# the same name as in tools/tessera/firmware/build.py
label = f"{app}-{model.name}-{hashlib.sha256(str(model).encode()).hexdigest()[:8]}"

# a PlatformIO package, when one is installed, is already first on PATH
env.Replace(
    AR="arm-none-eabi-gcc-ar",
    AS="arm-none-eabi-as",
    CC="arm-none-eabi-gcc",
    CXX="arm-none-eabi-g++",
    GDB="arm-none-eabi-gdb",
    OBJCOPY="arm-none-eabi-objcopy",
    RANLIB="arm-none-eabi-gcc-ranlib",
    SIZETOOL="arm-none-eabi-size",
    ARFLAGS=["rc"],
    PROGSUFFIX=".elf",
    PROGNAME="firmware",
)


def write_if_changed(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.is_file() or path.read_text() != text:
        path.write_text(text)


def memory_script() -> str:
    """The linker's MEMORY block from the board's regions; sizes are the real chip's also in its simulated twin."""
    lines = ["MEMORY", "{"]
    for region in tessera["regions"]:
        origin = tessera["simulator"]["origins"][region["name"]] if simulated else region["origin"]
        mode = "rx" if region["kind"] == "flash" else "rwx"
        lines.append(f"  {region['name']} ({mode}) : ORIGIN = {origin}, LENGTH = {region['bytes']}")
    lines.append("}")
    lines += [f'REGION_ALIAS("{use.upper()}_REGION", {name});' for use, name in place.items()]
    lines += [f"_stack_bytes = {tessera['stack_bytes']};", f"_data_limit_bytes = {tessera['data_bytes']};"]
    return "\n".join([*lines, "INCLUDE sections.ld", ""])


def arenas_script() -> str:
    """A place for what a model keeps in each memory; sections.ld includes it behind the stack and .data."""
    lines = []
    for memory in tessera["memories"]:
        region = memory["region"]
        lines.append(f".arena.{region.lower()} (NOLOAD) : {{ *(.bss.arena.{region.lower()}) }} > {region}")
    return "\n".join([*lines, ""])


build_dir = Path(env.subst("$BUILD_DIR"))
script = build_dir / "board.ld"
write_if_changed(script, memory_script())
arenas = build_dir / "arenas.ld"
write_if_changed(arenas, arenas_script())

cpu = ["-mthumb", f"-mcpu={board.get('build.cpu')}", *shlex.split(board.get("build.fpu_flags", ""))]
env.Append(
    ASFLAGS=cpu,
    ASPPFLAGS=[*cpu, "-x", "assembler-with-cpp"],
    CCFLAGS=[
        *cpu,
        SMALL,
        "-g",
        "-ffunction-sections",
        "-fdata-sections",
        f"-ffile-prefix-map={root}=.",
        "-Wall",
        "-Wextra",
        "-Wconversion",
        "-Wshadow",
        "-Wcast-qual",
        "-Werror",
    ],
    CFLAGS=["-std=c11"],
    LINKFLAGS=[
        *cpu,
        "-nostartfiles",
        "--specs=nano.specs",
        "--specs=nosys.specs",
        "-Wl,--gc-sections",
        "-Wl,--fatal-warnings",
        "-Wl,--no-warn-rwx-segments",
        "-Wl,-Map,$BUILD_DIR/${PROGNAME}.map",
    ],
    LIBS=["m", "c", "gcc"],
    LIBPATH=[os.path.join(platform.get_dir(), "ld"), str(build_dir)],
    CPPPATH=[
        *(str(firmware / "lib" / name / "include") for name in LIBRARIES),
        str(firmware / "serve/include"),
        str(firmware / "port/common"),
    ],
    CPPDEFINES=[
        ("F_CPU", "$BOARD_F_CPU"),
        ("TESS_BOARD", env.StringifyMacro(board.id if hasattr(board, "id") else env["BOARD"])),
    ],
)
if simulated:
    env.Append(CPPDEFINES=["TESS_SIMULATED"])
if env.GetProjectOption("custom_asserts") == "yes":
    env.Append(CPPDEFINES=["TESS_ASSERT_ENABLED"])
env.Replace(LDSCRIPT_PATH=str(script))

program_env = env.Clone(PROGNAME=label)
program_env.Prepend(CPPPATH=[str(model)])
sources = [
    *program_env.CollectBuildFiles(f"$BUILD_DIR/{label}/model", str(model)),
    *program_env.CollectBuildFiles(f"$BUILD_DIR/{label}/app", str(firmware / "apps" / app)),
    *program_env.CollectBuildFiles(f"$BUILD_DIR/{label}/serve", str(firmware / "serve")),
    *env.CollectBuildFiles("$BUILD_DIR/port/common", str(firmware / "port/common")),
    *env.CollectBuildFiles(f"$BUILD_DIR/port/{port}", str(firmware / "port" / port)),
]
libraries = [
    env.BuildLibrary(
        f"$BUILD_DIR/lib/{name}", str(firmware / "lib" / name), ["+<*>", "-<kernels/ref/>", "-<src/stage.c>"]
    )
    for name in LIBRARIES
]
portable_env = env.Clone(CCFLAGS=[*(flag for flag in env["CCFLAGS"] if flag != SMALL), *FAST])
portable = portable_env.BuildLibrary(
    "$BUILD_DIR/lib/portable", str(firmware / "lib/tessera"), ["-<*>", "+<kernels/ref/>", "+<src/stage.c>"]
)
program_env.Prepend(LIBS=[*libraries, portable])
program_env.Append(LINKFLAGS=["-T", str(script)])
elf = program_env.Program(f"$BUILD_DIR/{label}.elf", sources)
program_env.Depends(elf, [str(script), str(arenas), os.path.join(platform.get_dir(), "ld", "sections.ld")])
binary = program_env.Command(
    f"$BUILD_DIR/{label}.bin", elf, env.VerboseAction("$OBJCOPY -O binary $SOURCE $TARGET", "Building $TARGET")
)
env.Alias("buildprog", elf)
env.Alias("checkprogsize", elf)  # PlatformIO asks for it; the linker has checked every region


def openocd_adapter(protocol: str) -> list[str]:
    """The probe's configuration; OPENOCD_ADAPTER replaces it, as the tests do."""
    if "OPENOCD_ADAPTER" in os.environ:
        return shlex.split(os.environ["OPENOCD_ADAPTER"])
    transport = "hla_swd" if protocol == "stlink" else "swd"
    return ["-f", f"interface/{protocol}.cfg", "-c", f"transport select {transport}"]


protocol = env.subst("$UPLOAD_PROTOCOL")
address = board.get("upload.offset_address", "0x08000000")
source = binary
if protocol in ("stlink", "cmsis-dap"):
    scripts = platform.get_package_dir("tool-openocd")
    where = ["-s", os.path.join(scripts, "openocd", "scripts")] if scripts else []
    source = elf
    env.Replace(
        UPLOADER="openocd",
        UPLOADERFLAGS=[
            *where,
            *openocd_adapter(protocol),
            "-f",
            f"target/{board.get('debug.openocd_target')}.cfg",
            *shlex.split(os.environ.get("OPENOCD_EXTRA", "")),
            "-c",
            "program {$SOURCE} verify reset exit",
        ],
        UPLOADCMD="$UPLOADER $UPLOADERFLAGS",
    )
elif protocol == "stflash":
    env.Replace(
        UPLOADER="st-flash",
        UPLOADERFLAGS=["--reset", "write"],
        UPLOADCMD=f'$UPLOADER $UPLOADERFLAGS "$SOURCE" {address}',
    )
elif protocol == "dfu":
    vid, pid = board.get("build.hwids", [["0x0483", "0xdf11"]])[0]
    env.Replace(
        UPLOADER="dfu-util",
        UPLOADERFLAGS=[
            "-d",
            f"{vid[2:]}:{pid[2:]}",
            "-a",
            board.get("upload.dfu_alt", "0"),
            "-s",
            f"{address}:leave",
            "-D",
        ],
        UPLOADCMD='$UPLOADER $UPLOADERFLAGS "$SOURCE"',
    )
elif protocol == "serial":
    env.Replace(
        UPLOADER="stm32flash",
        UPLOADERFLAGS=["-g", address, "-b", "$UPLOAD_SPEED", "-v", "-w"],
        UPLOADCMD='$UPLOADER $UPLOADERFLAGS "$SOURCE" $UPLOAD_PORT',
    )
elif protocol != "custom":
    env.Exit(f"unknown upload_protocol {protocol}")

if protocol != "custom" and "upload" in COMMAND_LINE_TARGETS:
    AlwaysBuild(env.Alias("upload", source, [env.VerboseAction("$UPLOADCMD", "Uploading $SOURCE")]))
Default([elf])
