//! The connectors as the engine sees them: one binary, one module per product.

mod files;
