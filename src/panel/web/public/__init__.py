"""The published site with what a folder of files cannot do: readers' votes, and sign-up for the newsletter."""
