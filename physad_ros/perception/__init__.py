"""Which category a picture shows before anything is touched, with attributes and region; or nothing; or not sure."""
