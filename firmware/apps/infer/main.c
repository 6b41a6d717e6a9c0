/* The model alone: nothing beside what the server does. */
#include "serve/serve.h"

bool tess_app_request(const tess_cbor_value_t *type)
{
    (void)type;
    return false;
}
