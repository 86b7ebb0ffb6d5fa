"""The REINFORCE policy that searches configurations, and the local moves that refine them."""
