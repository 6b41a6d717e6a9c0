/** Everything that a generated model and its application need. */
#ifndef TESSERA_TESSERA_H
#define TESSERA_TESSERA_H

#include "tessera/conv2d.h"
#include "tessera/conv2d_dsp.h"
#include "tessera/conv2d_lean_dsp.h"
#include "tessera/copy.h"
#include "tessera/depthwise_conv2d_dsp.h"
#include "tessera/elementwise.h"
#include "tessera/elementwise_dsp.h"
#include "tessera/fully_connected.h"
#include "tessera/fully_connected_dsp.h"
#include "tessera/lookup.h"
#include "tessera/lookup_dsp.h"
#include "tessera/mean.h"
#include "tessera/mean_dsp.h"
#include "tessera/model.h"
#include "tessera/pool2d.h"
#include "tessera/pool2d_dsp.h"
#include "tessera/quantize.h"
#include "tessera/resize.h"
#include "tessera/softmax.h"
#include "tessera/spans.h"
#include "tessera/stage.h"
#include "tessera/status.h"

#endif
