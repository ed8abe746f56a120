rchar: 44117
wchar: 0
syscr: 31
syscw: 0
read_bytes: 344064
write_bytes: 0
cancelled_write_bytes: 0
