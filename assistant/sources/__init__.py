"""Where papers come from beside files: services and feeds, one module each.

`syncing.Sync` fetches them into a library and remembers where it stopped; `enriching.Enrichment`
fills in what the library's papers lack.
"""
