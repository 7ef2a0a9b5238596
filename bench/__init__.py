"""The figures of the performance budgets, measured side by side on this machine."""
