"""What people say of a study's markers, and labelled studies as a data set without names."""
