//go:build !linux

package clitest

import "io/fs"

func timesOf(info fs.FileInfo) folderTimes { return folderTimes{info.ModTime(), info.ModTime()} }
