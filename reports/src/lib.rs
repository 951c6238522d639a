//! Tables, documents and exports over the model of `et-inspector`.
