//go:build linux

package main

var doorCases = []fault{}
