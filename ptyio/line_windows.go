package ptyio

import "os"

func openDevice(string) (*os.File, error) { return nil, ErrUnsupported }

func rawLine(*os.File, int) error { return ErrUnsupported }
