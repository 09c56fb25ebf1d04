package vault

// FreeBytes gives the bytes left on the disk of a folder.
func FreeBytes(dir string) (int64, error) { return free(dir) }
