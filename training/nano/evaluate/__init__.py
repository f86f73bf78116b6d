"""What nano can do: figures, contact sheets and the model card."""
