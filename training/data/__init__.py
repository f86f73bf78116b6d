"""What training reads: releases and folders of photos, as arrays, arms and batches."""
