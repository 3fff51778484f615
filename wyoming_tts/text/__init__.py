"""Text for the ear: what is sent becomes sentences that can be spoken."""
