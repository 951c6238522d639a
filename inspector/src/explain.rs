//! What each error code of ExecuTorch's runtime means, where it comes from and
//! what to do about it.
//!
//! Codes and names are those of `runtime/core/error.h`. The causes are the
//! places of the loader, the allocators, the resizing of tensors and the
//! common backends that return the code, named as an engineer meets them.
//! Codes of findings have their pages in [`crate::findings::catalog`].

use et_schema::ErrorCode;

/// The page of one error code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// What it is, in a sentence.
    pub meaning: &'static str,
    /// What it usually comes from, the most frequent first.
    pub causes: &'static [&'static str],
    /// What to do, in the order to try.
    pub remedies: &'static [&'static str],
}

/// The page of `code`. A code without one does not build.
pub fn error_code(code: ErrorCode) -> &'static Explanation {
    match code {
        ErrorCode::Ok => &OK,
        ErrorCode::Internal => &INTERNAL,
        ErrorCode::InvalidState => &INVALID_STATE,
        ErrorCode::EndOfMethod => &END_OF_METHOD,
        ErrorCode::AlreadyLoaded => &ALREADY_LOADED,
        ErrorCode::NotSupported => &NOT_SUPPORTED,
        ErrorCode::NotImplemented => &NOT_IMPLEMENTED,
        ErrorCode::InvalidArgument => &INVALID_ARGUMENT,
        ErrorCode::InvalidType => &INVALID_TYPE,
        ErrorCode::OperatorMissing => &OPERATOR_MISSING,
        ErrorCode::RegistrationExceedingMaxKernels => &REGISTRY_FULL,
        ErrorCode::RegistrationAlreadyRegistered => &REGISTERED_TWICE,
        ErrorCode::NotFound => &NOT_FOUND,
        ErrorCode::MemoryAllocationFailed => &MEMORY_ALLOCATION_FAILED,
        ErrorCode::AccessFailed => &ACCESS_FAILED,
        ErrorCode::InvalidProgram => &INVALID_PROGRAM,
        ErrorCode::InvalidExternalData => &INVALID_EXTERNAL_DATA,
        ErrorCode::OutOfResources => &OUT_OF_RESOURCES,
        ErrorCode::DelegateInvalidCompatibility => &DELEGATE_INVALID_COMPATIBILITY,
        ErrorCode::DelegateMemoryAllocationFailed => &DELEGATE_MEMORY_ALLOCATION_FAILED,
        ErrorCode::DelegateInvalidHandle => &DELEGATE_INVALID_HANDLE,
    }
}

const OK: Explanation = Explanation {
    meaning: "The call did what it should.",
    causes: &["Nothing went wrong in this call. A log that stops after it stopped elsewhere."],
    remedies: &[
        "If the device is silent after this, look for the instruction that never came back.",
    ],
};

const INTERNAL: Explanation = Explanation {
    meaning: "A part of the runtime, a kernel or a backend failed in a way that has no code of its own.",
    causes: &[
        "A library below a backend failed, for example XNNPACK while it set a subgraph up or ran it.",
        "A kernel found its tensors in a state that its own checks should have ruled out.",
        "The platform layer could not do what the runtime relies on.",
    ],
    remedies: &[
        "Read the log line before the code: it names the file, the line and the check.",
        "Run the same program on a host with `etinspect run`: if it works there, the fault is in \
         the device's backend, memory or build.",
        "Build the runtime with logging enabled if there is no such line.",
    ],
};

const INVALID_STATE: Explanation = Explanation {
    meaning: "The object is not in a state that allows the call.",
    causes: &[
        "A method is used whose loading failed before; its error was not looked at.",
        "The method is executed while it is being stepped through, or stepped past a failure.",
        "An output's memory is set although the program has planned it already.",
        "A list holds a value that nothing has filled yet.",
    ],
    remedies: &[
        "Check the result of loading the method before anything else is called.",
        "Reset the method before executing it again after single steps or an error.",
        "Set data pointers only for inputs and outputs that the program has not planned \
         (`etinspect show` prints each one's place).",
    ],
};

const END_OF_METHOD: Explanation = Explanation {
    meaning: "Single stepping has reached the end of the method; there is no instruction left.",
    causes: &[
        "The last instruction of the last chain is done. After that, it is the normal answer.",
    ],
    remedies: &["Stop stepping, read the outputs, and reset the method before the next run."],
};

const ALREADY_LOADED: Explanation = Explanation {
    meaning: "The resource that should be loaded is loaded already.",
    causes: &["A program, method or data file is loaded a second time into the same object."],
    remedies: &["Load once and keep it, or release it before it is loaded again."],
};

const NOT_SUPPORTED: Explanation = Explanation {
    meaning: "The runtime knows what is asked for, and cannot do it here.",
    causes: &[
        "A tensor of fixed shape is to be resized: the inputs have other shapes than those the \
         program was exported with.",
        "A tensor with a dynamic shape grows past the upper bound given at export, or changes its \
         number of dimensions.",
        "A tensor's shape has no upper bound, which memory planning cannot place.",
        "A tensor has a storage offset, or on a 32-bit target a planned offset above 4 GiB.",
        "A bundled program's outputs are to be verified, and it has no expected outputs.",
    ],
    remedies: &[
        "Compare the inputs' shapes with those that `etinspect show` prints.",
        "Export with `dynamic_shapes` and a large enough upper bound for each dimension that varies.",
    ],
};

const NOT_IMPLEMENTED: Explanation = Explanation {
    meaning: "The object that was called leaves this operation out.",
    causes: &[
        "A data loader of one's own has no `load_into`, which initial data of mutable tensors needs.",
        "A map of named data is asked for something that its kind cannot do.",
        "A backend lacks an optional part of its interface.",
    ],
    remedies: &[
        "Implement the function in the data loader or backend, or use one of ExecuTorch's that has it.",
    ],
};

const INVALID_ARGUMENT: Explanation = Explanation {
    meaning: "An argument is not what the callee takes.",
    causes: &[
        "A kernel's checks of element types, shapes or dimension order failed; execution stops at \
         its instruction.",
        "An input has another element type, number of elements or kind than the program's input, \
         or its index is too large.",
        "The program has no method of the name that is loaded.",
        "An intermediate tensor of type Half or BFloat16 is to be logged into an ETDump, which \
         cannot hold it.",
    ],
    remedies: &[
        "Compare inputs and method name with `etinspect show`.",
        "Find the log line `KernelCall failed at instruction C:I in operator NAME` and look at that \
         instruction with `etinspect show --all`: all argument types and shapes are there.",
        "Run it with `etinspect run`: the error names instruction, operator and the failed check.",
    ],
};

const INVALID_TYPE: Explanation = Explanation {
    meaning: "A value is of another kind than the callee takes.",
    causes: &[
        "An EValue is read as a tensor, number or list and is another of these.",
        "The kernel in the runtime is of another version than the exporter and takes its arguments \
         in another order.",
        "A program's instruction names a value of the wrong kind.",
    ],
    remedies: &[
        "Use the same ExecuTorch release for exporting and for the runtime.",
        "Look at the instruction's arguments with `etinspect show --all`.",
    ],
};

const OPERATOR_MISSING: Explanation = Explanation {
    meaning: "The program calls an operator that has no kernel in this build; loading stops.",
    causes: &[
        "The kernel library is not linked, or the linker dropped it because only its static \
         initializers are used.",
        "A selective build was made for another model and left the operator out.",
        "The model is delegated in part only, and an operator between the delegates falls back to \
         the portable kernels.",
        "The kernel exists, but not for this element type or dimension order.",
        "Operators of `quantized_decomposed` are in a library of their own.",
    ],
    remedies: &[
        "List the program's operators with `etinspect show`, and select exactly these in the build.",
        "Link the kernel library with the whole-archive option of the linker.",
        "Find the log lines `Missing operator: [i] name`: there is one for each missing operator.",
        "Export so that the operator is delegated, decomposed or removed.",
    ],
};

const REGISTRY_FULL: Explanation = Explanation {
    meaning: "More kernels are registered than the registry has places for.",
    causes: &[
        "The maximum number of kernels was set for a selective build, and a library was added.",
        "Several kernel libraries are linked together.",
    ],
    remedies: &[
        "Raise `MAX_KERNEL_NUM` (CMake: `EXECUTORCH_MAX_KERNEL_NUM`), or link fewer kernels.",
    ],
};

const REGISTERED_TWICE: Explanation = Explanation {
    meaning: "A kernel of this name, element types and dimension orders is registered already.",
    causes: &[
        "Two kernel libraries with the same operators are linked, such as portable and optimized, \
         or the same one through two shared objects.",
        "A custom kernel has the name of one that exists.",
    ],
    remedies: &[
        "Link one library per operator; make a merged selective build to replace single kernels.",
        "The log names the kernel and the libraries that register it.",
    ],
};

const NOT_FOUND: Explanation = Explanation {
    meaning: "Something that is looked up by name is not there.",
    causes: &[
        "The program has a delegate whose backend is not registered in this runtime; the log says \
         so with the backend's name.",
        "Weights lie in a .ptd file that was not given, or that has no tensor of that name.",
        "Named data of a delegate is missing in the program.",
        "A bundled program was verified and the outputs are not those expected: ExecuTorch reports \
         a mismatch with this code.",
        "A program is asked for a segment and has none.",
    ],
    remedies: &[
        "List the program's delegates with `etinspect show`, and link their backends with the \
         whole-archive option.",
        "Give the data file that was written at export beside the program.",
        "After a bundled program: look at the outputs, not for a missing thing.",
    ],
};

const MEMORY_ALLOCATION_FAILED: Explanation = Explanation {
    meaning: "An allocator has less memory left than is asked for.",
    causes: &[
        "The method allocator's pool is too small for the loader's objects (values, tensors, \
         instructions, argument lists).",
        "The planned buffers of the method are larger than the memory set aside for them; on \
         several boards they come from the method allocator as well.",
        "The temp allocator is too small for what a kernel or a delegate needs while it runs, such \
         as the scratch memory of Ethos-U.",
        "A tensor's planned place ends outside its buffer: the buffers given are smaller than \
         those the program asks for.",
        "On a pool that is too small by little, loading may crash instead: lists of values are \
         written to without a check of the allocation.",
    ],
    remedies: &[
        "Find the log line `Memory allocation failed: 48B requested, 44B available`: both are of \
         one request, the last straw, not of what the program needs in all.",
        "Check the sizes before flashing: `etinspect run --method-pool SIZE --planned-pool SIZE \
         --temp-pool SIZE --abi arm32` loads with the board's pools.",
        "Enlarge the pool, move it to a larger memory, or shrink what is planned: quantize, smaller \
         inputs, other memory planning.",
    ],
};

const ACCESS_FAILED: Explanation = Explanation {
    meaning: "A file or memory could not be read.",
    causes: &[
        "The program or data file does not exist under that path, or may not be read.",
        "Its size could not be determined, or reading or mapping a part of it failed.",
        "On a phone, the file is in a folder that the app has no access to.",
    ],
    remedies: &[
        "Check the path, the working directory and the permissions on the device.",
        "Check that the file was copied completely: `etinspect show` reads its header and sizes.",
    ],
};

const INVALID_PROGRAM: Explanation = Explanation {
    meaning: "The program's contents contradict themselves or this runtime.",
    causes: &[
        "The bytes are no program: another file, a text pointer of a version control system, or \
         an image whose program data was not aligned or placed where the runner looks.",
        "The file was cut off: it is shorter than its header says.",
        "It was exported by another version of ExecuTorch with another schema.",
        "An index in it points nowhere, such as an argument of an instruction.",
        "Execution ran more instructions than the runtime allows: a loop that does not end.",
        "An Ethos-U payload has no block of the expected name, or the NPU's invocation failed.",
    ],
    remedies: &[
        "Open it with `etinspect show`: it says which field or offset is wrong, or shows \
         the index that points nowhere.",
        "Compare size and checksum with the exported file.",
        "Export again with the ExecuTorch release of the runtime.",
    ],
};

const INVALID_EXTERNAL_DATA: Explanation = Explanation {
    meaning: "The external data (.ptd) is damaged or does not fit the program.",
    causes: &[
        "The .ptd file belongs to another export: a tensor has another size or element type than \
         the program expects.",
        "The file is cut off or no .ptd file at all.",
        "It was written by another version with another schema.",
    ],
    remedies: &["Use the program and the data file of the same export.", "Check the file's size."],
};

const OUT_OF_RESOURCES: Explanation = Explanation {
    meaning: "Something other than memory is used up.",
    causes: &[
        "A limit of the build or the system is reached, such as the number of backends, threads, \
         files or handles.",
    ],
    remedies: &[
        "Read the log line before the code: it names the limit.",
        "Release methods and programs that are no longer needed, or raise the limit in the build.",
    ],
};

const DELEGATE_INVALID_COMPATIBILITY: Explanation = Explanation {
    meaning: "The backend does not understand the payload that it was given at load.",
    causes: &[
        "The program was exported with another version of the backend than the runtime has.",
        "The payload was compiled for other hardware than this device's.",
        "The payload is damaged or not this backend's.",
    ],
    remedies: &[
        "Use the same ExecuTorch release, and the same tool of the hardware's vendor, for export \
         and runtime.",
        "Check target and compile specs of the delegate with `etinspect show`.",
    ],
};

const DELEGATE_MEMORY_ALLOCATION_FAILED: Explanation = Explanation {
    meaning: "The backend could not get the memory it needs at load.",
    causes: &[
        "The device's heap or the accelerator's memory is too small for the delegate's weights and \
         buffers.",
        "The method allocator, from which some backends take their objects, is full.",
    ],
    remedies: &[
        "Look at the payload's size with `etinspect show`: most backends need a multiple of it.",
        "Free other models first, use a smaller or quantized model, or split the delegate.",
    ],
};

const DELEGATE_INVALID_HANDLE: Explanation = Explanation {
    meaning: "The backend was called with a handle that it does not know.",
    causes: &[
        "The delegate was destroyed, or its loading had failed, before it was executed.",
        "Memory in which the handle lies was overwritten or given to another owner.",
    ],
    remedies: &[
        "Check the result of loading the method, and keep its memory for as long as it is used.",
        "Make sure that the method allocator's pool is not shared or reset while the method lives.",
    ],
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_page_has_causes_and_remedies_of_its_own() {
        let mut meanings = std::collections::BTreeSet::new();
        for &code in ErrorCode::ALL {
            let page = error_code(code);
            assert!(!page.causes.is_empty() && !page.remedies.is_empty(), "{code}");
            assert!(meanings.insert(page.meaning), "{code} has the page of another code");
        }
    }

    #[test]
    fn texts_have_no_runs_of_spaces_from_continued_lines() {
        for &code in ErrorCode::ALL {
            let page = error_code(code);
            let texts = [page.causes, page.remedies].concat();
            assert!(texts.iter().all(|t| !t.contains("  ") && t.ends_with(['.', '!'])), "{code}");
        }
    }
}
