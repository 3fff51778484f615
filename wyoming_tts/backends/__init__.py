"""The engines: one file each, all with the face of `base.Backend`."""
