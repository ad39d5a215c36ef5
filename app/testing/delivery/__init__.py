"""The proof of delivery: modules of its own on scratch servers, whose processes are killed, stopped and cut off."""
