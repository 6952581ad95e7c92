import type { Page, StoreName, Stores } from '@nexus/core'

/** The model must meet the answer; a text says why it cannot. */
type Expect = true | string

/** How an answer is named: by its status, by there being one, by there being a next page. */
type KindOf<R> = R extends { status: infer S extends string }
  ? S
  : R extends null
    ? 'null'
    : R extends Page<unknown>
      ? 'page' | 'last page'
      : never

type AnswersOf<M> = M extends (...given: never[]) => Promise<infer R> ? Record<KindOf<R>, Expect> : unknown

/**
 * Every verb of the store with every answer of its type, and what it throws about its input and about stored data: one
 * that is left out does not compile. What the types do not name (`claimed`, `nothing`) comes beside it.
 */
export type ExpectedAnswers<N extends StoreName> = {
  [V in keyof Stores[N]]: AnswersOf<Stores[N][V]> & Record<'invalid' | 'corrupt', Expect> & Record<string, Expect>
}

/** By verb as operations name them. */
export type Expected = Readonly<Record<string, Readonly<Record<string, Expect>>>>

export const expectedOf = (store: StoreName, answers: Expected): Expected =>
  Object.fromEntries(Object.entries(answers).map(([verb, kinds]) => [`${store}.${verb}`, kinds]))
