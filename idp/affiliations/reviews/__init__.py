"""Recertification: once a year the managers of each target say who still needs which access; what nobody says ends."""
