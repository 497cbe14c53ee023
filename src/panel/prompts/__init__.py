"""Questions to models and their replies: prompt templates, personas, the fence around a listing, the reply parser."""
