"""The format of the Yelp Open Dataset."""
