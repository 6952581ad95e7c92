export { type AdoptInboxOptions, type AdoptInboxResult, adoptInbox } from './adopt-inbox.ts'
export { openPgBackend, type PgBackendOptions } from './backend.ts'
export {
  type DatabaseSurvey,
  type DatabaseSurveyOptions,
  type SchemaState,
  type Server,
  surveyDatabase,
  type TableContents,
} from './survey/survey.ts'
