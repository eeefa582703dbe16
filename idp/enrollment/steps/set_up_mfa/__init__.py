"""*Set Up Multifactor Authentication* (C4): hands over to the page that sets factors up, and is done once one is held."""
