"""From sound to a mouth: streaming features of speech and the ARKit mouth that they mean."""
