//! The commands of Ethos-U55 and Ethos-U65: codes, names and fields, as Arm's Vela 5.1 lists
//! them (`--verbose-register-command-stream`).

use super::Register;
use super::names::*;

registers! {
    0x0000 "NPU_OP_STOP" { mask: 0, 16; }
    0x0001 "NPU_OP_IRQ" { mask: 0, 16; }
    0x0002 "NPU_OP_CONV" {}
    0x0003 "NPU_OP_DEPTHWISE" {}
    0x0005 "NPU_OP_POOL" { pooling_mode: 0, 3, POOLING_MODE_U55; }
    0x0006 "NPU_OP_ELEMENTWISE" { elementwise_mode: 0, 6, ELEMENTWISE_MODE_U55; }
    0x0010 "NPU_OP_DMA_START" {}
    0x0011 "NPU_OP_DMA_WAIT" { k: 0, 1; }
    0x0012 "NPU_OP_KERNEL_WAIT" { n: 0, 2; }
    0x0013 "NPU_OP_PMU_MASK" { enable: 0, 1; }
    0x0100 "NPU_SET_IFM_PAD_TOP" { pad: 0, 7; }
    0x0101 "NPU_SET_IFM_PAD_LEFT" { pad: 0, 7; }
    0x0102 "NPU_SET_IFM_PAD_RIGHT" { pad: 0, 8; }
    0x0103 "NPU_SET_IFM_PAD_BOTTOM" { pad: 0, 8; }
    0x0104 "NPU_SET_IFM_DEPTH_M1" { depth_m1: 0, 16; }
    0x0105 "NPU_SET_IFM_PRECISION" { activation_type: 0, 1, ACTIVATION_TYPE; activation_precision: 2, 2, ACTIVATION_PRECISION; activation_format: 6, 2, ACTIVATION_FORMAT; scale_mode: 8, 2, IFM_SCALE_MODE; round_mode: 14, 2, ROUND_MODE; }
    0x0107 "NPU_SET_IFM_UPSCALE" { mode: 0, 2, IFM_UPSCALE_MODE; }
    0x0109 "NPU_SET_IFM_ZERO_POINT" { zero_point: 0, 16; }
    0x010a "NPU_SET_IFM_WIDTH0_M1" { width_m1: 0, 16; }
    0x010b "NPU_SET_IFM_HEIGHT0_M1" { height_m1: 0, 16; }
    0x010c "NPU_SET_IFM_HEIGHT1_M1" { height_m1: 0, 16; }
    0x010d "NPU_SET_IFM_IB_END" { ib_end: 0, 6; }
    0x010f "NPU_SET_IFM_REGION" { region: 0, 3; }
    0x0111 "NPU_SET_OFM_WIDTH_M1" { width_m1: 0, 16; }
    0x0112 "NPU_SET_OFM_HEIGHT_M1" { height_m1: 0, 16; }
    0x0113 "NPU_SET_OFM_DEPTH_M1" { depth_m1: 0, 16; }
    0x0114 "NPU_SET_OFM_PRECISION" { activation_type: 0, 1, ACTIVATION_TYPE; activation_precision: 1, 2, ACTIVATION_PRECISION; activation_format: 6, 2, ACTIVATION_FORMAT; scale_mode: 8, 1, OFM_SCALE_MODE; round_mode: 14, 2, ROUND_MODE; }
    0x0115 "NPU_SET_OFM_BLK_WIDTH_M1" { width_m1: 0, 6; }
    0x0116 "NPU_SET_OFM_BLK_HEIGHT_M1" { height_m1: 0, 5; }
    0x0117 "NPU_SET_OFM_BLK_DEPTH_M1" { depth_m1: 0, 7; }
    0x0118 "NPU_SET_OFM_ZERO_POINT" { zero_point: 0, 16; }
    0x011a "NPU_SET_OFM_WIDTH0_M1" { width_m1: 0, 16; }
    0x011b "NPU_SET_OFM_HEIGHT0_M1" { height_m1: 0, 16; }
    0x011c "NPU_SET_OFM_HEIGHT1_M1" { height_m1: 0, 16; }
    0x011f "NPU_SET_OFM_REGION" { region: 0, 3; }
    0x0120 "NPU_SET_KERNEL_WIDTH_M1" { width_m1: 0, 16; }
    0x0121 "NPU_SET_KERNEL_HEIGHT_M1" { height_m1: 0, 16; }
    0x0122 "NPU_SET_KERNEL_STRIDE" { stride_x_lsb: 0, 1; stride_y_lsb: 1, 1; weight_order: 2, 1, WEIGHT_ORDER; dilation_x: 3, 1, KERNEL_DILATION; dilation_y: 4, 1, KERNEL_DILATION; decomposition: 5, 1, KERNEL_DECOMPOSITION; stride_x_msb: 6, 1; stride_y_msb: 9, 1; }
    0x0123 "NPU_SET_PARALLEL_MODE" { parallel_mode: 0, 1, PARALLEL_MODE; }
    0x0124 "NPU_SET_ACC_FORMAT" { acc_format: 0, 2, ACC_FORMAT_U55; }
    0x0125 "NPU_SET_ACTIVATION" { activation_function: 0, 5, ACTIVATION_FUNCTION_U55; activation_clip_range: 12, 3, ACTIVATION_CLIP_RANGE_U55; }
    0x0126 "NPU_SET_ACTIVATION_MIN" { clip_boundary: 0, 16; }
    0x0127 "NPU_SET_ACTIVATION_MAX" { clip_boundary: 0, 16; }
    0x0128 "NPU_SET_WEIGHT_REGION" { region: 0, 3; }
    0x0129 "NPU_SET_SCALE_REGION" { region: 0, 3; }
    0x012d "NPU_SET_AB_START" { ab_start: 0, 6; }
    0x012f "NPU_SET_BLOCKDEP" { blockdep: 0, 2; }
    0x0130 "NPU_SET_DMA0_SRC_REGION" { region: 0, 3; region_mode: 8, 1, DMA_REGION_MODE; stride_mode: 9, 2, DMA_STRIDE_MODE; }
    0x0131 "NPU_SET_DMA0_DST_REGION" { region: 0, 3; region_mode: 8, 1, DMA_REGION_MODE; stride_mode: 9, 2, DMA_STRIDE_MODE; }
    0x0132 "NPU_SET_DMA0_SIZE0" { size: 0, 16; }
    0x0133 "NPU_SET_DMA0_SIZE1" { size: 0, 16; }
    0x0180 "NPU_SET_IFM2_BROADCAST" { broadcast_h: 0, 1, BROADCAST_MODE_U55; broadcast_w: 1, 1, BROADCAST_MODE_U55; broadcast_c: 2, 1, BROADCAST_MODE_U55; operand_order: 6, 1, IFM2_OPERAND_ORDER; broadcast_constant: 7, 1, BROADCAST_MODE_U55; }
    0x0181 "NPU_SET_IFM2_SCALAR" { scalar: 0, 16; }
    0x0185 "NPU_SET_IFM2_PRECISION" { activation_type: 0, 1, ACTIVATION_TYPE; activation_precision: 2, 2, ACTIVATION_PRECISION; activation_format: 6, 2, ACTIVATION_FORMAT; }
    0x0189 "NPU_SET_IFM2_ZERO_POINT" { zero_point: 0, 16; }
    0x018a "NPU_SET_IFM2_WIDTH0_M1" { width_m1: 0, 16; }
    0x018b "NPU_SET_IFM2_HEIGHT0_M1" { height_m1: 0, 16; }
    0x018c "NPU_SET_IFM2_HEIGHT1_M1" { height_m1: 0, 16; }
    0x018d "NPU_SET_IFM2_IB_START" { ib_start: 0, 6; }
    0x018f "NPU_SET_IFM2_REGION" { region: 0, 3; }
    0x4000 "NPU_SET_IFM_BASE0" { addr: ADDRESS; }
    0x4001 "NPU_SET_IFM_BASE1" { addr: ADDRESS; }
    0x4002 "NPU_SET_IFM_BASE2" { addr: ADDRESS; }
    0x4003 "NPU_SET_IFM_BASE3" { addr: ADDRESS; }
    0x4004 "NPU_SET_IFM_STRIDE_X" { addr: ADDRESS; }
    0x4005 "NPU_SET_IFM_STRIDE_Y" { addr: ADDRESS; }
    0x4006 "NPU_SET_IFM_STRIDE_C" { addr: ADDRESS; }
    0x4010 "NPU_SET_OFM_BASE0" { addr: ADDRESS; }
    0x4011 "NPU_SET_OFM_BASE1" { addr: ADDRESS; }
    0x4012 "NPU_SET_OFM_BASE2" { addr: ADDRESS; }
    0x4013 "NPU_SET_OFM_BASE3" { addr: ADDRESS; }
    0x4014 "NPU_SET_OFM_STRIDE_X" { addr: ADDRESS; }
    0x4015 "NPU_SET_OFM_STRIDE_Y" { addr: ADDRESS; }
    0x4016 "NPU_SET_OFM_STRIDE_C" { addr: ADDRESS; }
    0x4020 "NPU_SET_WEIGHT_BASE" { addr: ADDRESS; }
    0x4021 "NPU_SET_WEIGHT_LENGTH" { length: 16, 32; }
    0x4022 "NPU_SET_SCALE_BASE" { addr: ADDRESS; }
    0x4023 "NPU_SET_SCALE_LENGTH" { length: 16, 20; }
    0x4024 "NPU_SET_OFM_SCALE" { shift: 0, 6; scale: 16, 32; }
    0x4025 "NPU_SET_OPA_SCALE" { shift: 0, 6; scale: 16, 32; }
    0x4026 "NPU_SET_OPB_SCALE" { scale: 16, 16; }
    0x4030 "NPU_SET_DMA0_SRC" { addr: ADDRESS; }
    0x4031 "NPU_SET_DMA0_DST" { addr: ADDRESS; }
    0x4032 "NPU_SET_DMA0_LEN" { addr: ADDRESS; }
    0x4033 "NPU_SET_DMA0_SKIP0" { addr: ADDRESS; }
    0x4034 "NPU_SET_DMA0_SKIP1" { addr: ADDRESS; }
    0x4080 "NPU_SET_IFM2_BASE0" { addr: ADDRESS; }
    0x4081 "NPU_SET_IFM2_BASE1" { addr: ADDRESS; }
    0x4082 "NPU_SET_IFM2_BASE2" { addr: ADDRESS; }
    0x4083 "NPU_SET_IFM2_BASE3" { addr: ADDRESS; }
    0x4084 "NPU_SET_IFM2_STRIDE_X" { addr: ADDRESS; }
    0x4085 "NPU_SET_IFM2_STRIDE_Y" { addr: ADDRESS; }
    0x4086 "NPU_SET_IFM2_STRIDE_C" { addr: ADDRESS; }
    0x4090 "NPU_SET_WEIGHT1_BASE" { addr: ADDRESS; }
    0x4091 "NPU_SET_WEIGHT1_LENGTH" { length: 16, 32; }
    0x4092 "NPU_SET_SCALE1_BASE" { addr: ADDRESS; }
    0x4093 "NPU_SET_SCALE1_LENGTH" { length: 16, 20; }
}
