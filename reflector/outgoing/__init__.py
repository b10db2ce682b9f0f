"""Ask servers whose address a person typed, without reaching into the network of this one."""
