"""Rules: what normal specimens keep to, measured in pictures, deduced, kept in banks, and used to judge and to explain."""
