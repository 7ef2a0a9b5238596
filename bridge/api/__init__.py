"""HTTP: one blueprint for each kind of caller, one file for each idea of HTTP."""
