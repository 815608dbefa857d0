"""The page that people look at: what a day brought, whether it can be trusted, and the SQL behind each number."""
