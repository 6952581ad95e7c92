export { endQuiet, forgetQuiet, quietHosts, requestQuiet } from './loop/quiet.ts'
export { createOnce, errorCode, makeFolder, replaceFile, syncFolder } from './runner/durable-file.ts'
export { currentProcess, formatIdentity, ownerLife } from './runner/process-identity.ts'
