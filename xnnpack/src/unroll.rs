//! Loops that are none.

/// Does something with each of the first rows, of which there are at most 12. It is no
/// loop: what is indexed by a number that is known stays in registers.
macro_rules! each_row {
    ($count:expr, $row:ident => $work:block) => {
        each_row!($count, $row => $work, 0 1 2 3 4 5 6 7 8 9 10 11)
    };
    ($count:expr, $row:ident => $work:block, $($number:literal)*) => {
        $(if const { $number < $count } {
            let $row = $number;
            $work
        })*
    };
}

pub(crate) use each_row;
