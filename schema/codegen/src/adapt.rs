//! What the generated code gets wrong for real files.
//!
//! flatc does not align empty vectors, so in a file that it wrote an empty
//! vector of 64-bit numbers lies as often misaligned as not. The verifier of
//! the `flatbuffers` crate refuses such files, although its accessors read
//! numbers at any address. These vectors are verified by
//! `crate::verify::Scalars` instead.

/// Element types whose alignment is stricter than that of a vector's length.
const WIDE: [&str; 3] = ["i64", "u64", "f64"];

/// The generated source with the verification of wide vectors replaced.
pub fn adapt(generated: &str) -> String {
    WIDE.iter().fold(generated.to_owned(), |source, scalar| {
        source.replace(
            &format!(
                "visit_field::<::flatbuffers::ForwardsUOffset<::flatbuffers::Vector<'_, {scalar}>>>"
            ),
            &format!(
                "visit_field::<::flatbuffers::ForwardsUOffset<crate::verify::Scalars<{scalar}>>>"
            ),
        )
    })
}
