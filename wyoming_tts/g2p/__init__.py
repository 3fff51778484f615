"""Phonemisers: one file a language or family of languages, all with the face of `base.Reader`."""
