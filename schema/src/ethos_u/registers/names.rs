//! Names of the values of fields.

/// Values with their names.
pub(super) type Names = &'static [(u32, &'static str)];

/// Of fields whose values have none.
pub(super) const NONE: Names = &[];

pub(super) const ACC_FORMAT: Names = &[(0, "I32"), (1, "I48")];
pub(super) const ACC_FORMAT_U55: Names = &[(0, "I32"), (1, "I40"), (2, "F16")];
pub(super) const ACC_INPUT: Names = &[(0, "RESET"), (1, "KEEP"), (2, "IFM2")];
pub(super) const ACC_OUTPUT: Names = &[(0, "ENABLE"), (1, "DISABLE")];
pub(super) const ACTIVATION_CLIP_RANGE: Names = &[(0, "B16"), (1, "NONE")];
pub(super) const ACTIVATION_CLIP_RANGE_U55: Names =
    &[(0, "OFM_PRECISION"), (2, "FORCE_UINT8"), (3, "FORCE_INT8"), (5, "FORCE_INT16")];
pub(super) const ACTIVATION_FORMAT: Names = &[(0, "NHWC"), (1, "NHCWB16")];
pub(super) const ACTIVATION_FUNCTION: Names = &[
    (0, "LUT_NONE"),
    (1, "LUT_U8_U8"),
    (4, "LUT_S8_S8"),
    (5, "LUT_S8_S16"),
    (7, "LUT_S8_S32"),
    (8, "LUT_S16_S16"),
    (9, "LUT_S16_S32"),
    (10, "LUT_TANH"),
    (11, "LUT_SIGMOID"),
];
pub(super) const ACTIVATION_FUNCTION_U55: Names = &[
    (0, "RELU"),
    (3, "TANH"),
    (4, "SIGMOID"),
    (16, "TABLE_0"),
    (17, "TABLE_1"),
    (18, "TABLE_2"),
    (19, "TABLE_3"),
    (20, "TABLE_4"),
    (21, "TABLE_5"),
    (22, "TABLE_6"),
    (23, "TABLE_7"),
];
pub(super) const ACTIVATION_PRECISION: Names = &[(0, "B8"), (1, "B16"), (2, "B32"), (3, "B64")];
pub(super) const ACTIVATION_REVERSE: Names = &[(0, "NONE"), (1, "H"), (2, "W"), (3, "C")];
pub(super) const ACTIVATION_STORAGE: Names =
    &[(0, "TILE2X2"), (1, "TILE3X1"), (2, "CHAINED"), (3, "NONE")];
pub(super) const ACTIVATION_TRANSPOSE: Names =
    &[(0, "HWC"), (1, "WHC"), (2, "HCW"), (3, "WCH"), (6, "CHW"), (7, "CWH")];
pub(super) const ACTIVATION_TYPE: Names = &[(0, "UNSIGNED"), (1, "SIGNED")];
pub(super) const BRANCH_COND: Names = &[(0, "ALWAYS"), (1, "RF_TRUE")];
pub(super) const BROADCAST_MODE: Names = &[
    (0, "NONE"),
    (1, "H"),
    (2, "W"),
    (3, "HW"),
    (4, "C"),
    (5, "CH"),
    (6, "CW"),
    (7, "CWH"),
    (8, "SCALAR"),
];
pub(super) const BROADCAST_MODE_U55: Names = &[(0, "DISABLE"), (1, "ENABLE")];
pub(super) const DMA_IDX_MODE: Names = &[(0, "DISABLED"), (1, "ENABLED")];
pub(super) const DMA_REGION_MODE: Names = &[(0, "EXTERNAL"), (1, "INTERNAL")];
pub(super) const DMA_STRIDE_MODE: Names = &[(0, "D1"), (1, "D2"), (2, "D3")];
pub(super) const ELEMENTWISE_MODE: Names = &[
    (0, "MUL"),
    (1, "ADD"),
    (2, "SUB"),
    (3, "MIN"),
    (4, "MAX"),
    (5, "LRELU"),
    (6, "ABS"),
    (7, "CLZ"),
    (8, "SHR"),
    (9, "SHL"),
    (10, "LSR"),
    (11, "DIV"),
    (16, "CMP_EQ"),
    (17, "CMP_NE"),
    (18, "CMP_GE"),
    (19, "CMP_GT"),
    (33, "AND"),
    (34, "OR"),
    (35, "XOR"),
    (36, "NOT"),
    (42, "AND_NOT"),
];
pub(super) const ELEMENTWISE_MODE_U55: Names = &[
    (0, "MUL"),
    (1, "ADD"),
    (2, "SUB"),
    (3, "MIN"),
    (4, "MAX"),
    (5, "LRELU"),
    (6, "ABS"),
    (7, "CLZ"),
    (8, "SHR"),
    (9, "SHL"),
];
pub(super) const IFM2_OPERAND_ORDER: Names = &[(0, "ORDER_B"), (1, "ORDER_A")];
pub(super) const IFM_SCALE_MODE: Names = &[(0, "OPA_OPB_16"), (1, "OPA_32"), (2, "OPB_32")];
pub(super) const IFM_UPSCALE_MODE: Names = &[(0, "NONE"), (1, "NEAREST"), (2, "ZEROS")];
pub(super) const KERNEL_DECOMPOSITION: Names = &[(0, "D8X8"), (1, "D4X4")];
pub(super) const KERNEL_DILATION: Names = &[(0, "NONE"), (1, "X2")];
pub(super) const MICROBLOCK: Names =
    &[(0, "U1X1"), (1, "U1X2"), (2, "U1X4"), (3, "U2X2"), (4, "U2X4"), (5, "U4X4")];
pub(super) const OFM_SCALE_MODE: Names = &[(0, "PER_CHANNEL"), (1, "GLOBAL")];
pub(super) const PARALLEL_MODE: Names = &[(0, "SINGLE_CORE"), (1, "DUAL_CORE_DEPTH")];
pub(super) const POOLING_MODE: Names = &[
    (0, "MAX"),
    (1, "AVERAGE"),
    (2, "REDUCE_SUM"),
    (3, "SUM"),
    (4, "NONE"),
    (5, "MIN"),
    (6, "ARGMAX_X"),
    (7, "ARGMAX_Y"),
];
pub(super) const POOLING_MODE_U55: Names = &[(0, "MAX"), (1, "AVERAGE"), (2, "REDUCE_SUM")];
pub(super) const RESIZE_MODE: Names = &[(0, "BILINEAR"), (1, "REPLICATE"), (2, "NEAREST")];
pub(super) const ROUND_MODE: Names = &[(0, "DBL"), (1, "TRUNCATE"), (2, "NATURAL")];
pub(super) const ROUND_MODE_IFM: Names = &[(0, "DOUBLE_SYMMETRIC"), (1, "NATURAL")];
pub(super) const ROUND_MODE_OFM: Names = &[
    (0, "DOUBLE_SYMMETRIC"),
    (1, "NATURAL"),
    (2, "DOUBLE_ASYMMETRIC"),
    (3, "SYMMETRIC"),
    (4, "TRUNCATE_TO_ZERO"),
    (5, "TRUNCATE_TO_LOWER"),
];
pub(super) const WEIGHT_FORMAT: Names = &[(0, "SWD"), (1, "FWD")];
pub(super) const WEIGHT_ORDER: Names = &[(0, "DEPTH_FIRST"), (1, "PART_KERNEL_FIRST")];
pub(super) const WEIGHT_SPARSITY: Names = &[(0, "NONE"), (1, "SPARSE_2_4")];
