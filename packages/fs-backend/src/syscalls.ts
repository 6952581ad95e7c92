import fs from 'node:fs'
import { promisify } from 'node:util'

/** The callback API, promised: bare descriptors, so that a folder can be held open and named by `/proc/self/fd`. */
export const sys = {
  open: promisify(fs.open),
  close: promisify(fs.close),
  write: promisify(fs.write),
  read: promisify(fs.read),
  fsync: promisify(fs.fsync),
  fstat: promisify(fs.fstat),
  lstat: promisify(fs.lstat),
  rename: promisify(fs.rename),
  link: promisify(fs.link),
  unlink: promisify(fs.unlink),
  rmdir: promisify(fs.rmdir),
  mkdir: promisify(fs.mkdir),
  opendir: promisify(fs.opendir),
  readdir: promisify(fs.readdir),
  readlink: promisify(fs.readlink),
  realpath: promisify(fs.realpath),
  futimes: promisify(fs.futimes),
} as const

export const flags = fs.constants
