"""Programs that need Django and a database: started as processes of their own, each prints one JSON document."""
