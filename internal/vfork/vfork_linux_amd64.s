#include "go_asm.h"
#include "textflag.h"

#define rt_sigprocmask 14
#define exit_group 231

// The child has our stack, too: nothing here uses it behind the fork.

// func start(c *Child)
TEXT ·start(SB), NOSPLIT, $0-8
	MOVQ c+0(FP), R12

	MOVQ $rt_sigprocmask, AX
	MOVQ $2, DI
	LEAQ Child_mask(R12), SI
	MOVQ SI, DX
	MOVQ $8, R10
	SYSCALL

	MOVQ (Child_Fork+Call_Number)(R12), AX
	MOVQ (Child_Fork+Call_Args+0)(R12), DI
	MOVQ (Child_Fork+Call_Args+8)(R12), SI
	MOVQ (Child_Fork+Call_Args+16)(R12), DX
	MOVQ (Child_Fork+Call_Args+24)(R12), R10
	MOVQ (Child_Fork+Call_Args+32)(R12), R8
	SYSCALL
	TESTQ AX, AX
	JEQ child
	MOVQ AX, Child_pid(R12)

	MOVQ $rt_sigprocmask, AX // as they were
	MOVQ $2, DI
	LEAQ Child_mask(R12), SI
	MOVQ $0, DX
	MOVQ $8, R10
	SYSCALL
	RET

child:
	MOVQ Child_Calls(R12), R13
	MOVQ $0, R15
next:
	ADDQ $1, R15
	MOVQ Call_Number(R13), AX
	MOVQ (Call_Args+0)(R13), DI
	MOVQ (Call_Args+8)(R13), SI
	MOVQ (Call_Args+16)(R13), DX
	MOVQ (Call_Args+24)(R13), R10
	MOVQ (Call_Args+32)(R13), R8
	SYSCALL
	ADDQ $Call__size, R13
	CMPQ AX, $-4096
	JLS next // the last one only returns when it fails
	NEGQ AX
	MOVQ AX, Child_errno(R12)
	MOVQ R15, Child_failed(R12)
	MOVQ $exit_group, AX
	MOVQ $253, DI
	SYSCALL
	INT $3

// func do(c *Call) int
TEXT ·do(SB), NOSPLIT, $0-16
	MOVQ c+0(FP), R12
	MOVQ Call_Number(R12), AX
	MOVQ (Call_Args+0)(R12), DI
	MOVQ (Call_Args+8)(R12), SI
	MOVQ (Call_Args+16)(R12), DX
	MOVQ (Call_Args+24)(R12), R10
	MOVQ (Call_Args+32)(R12), R8
	SYSCALL
	MOVQ AX, ret+8(FP)
	RET
