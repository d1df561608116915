"""What people would otherwise make employees with: the same ten columns, each library in its best form."""
