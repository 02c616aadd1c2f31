//! WSO2 Identity Server and Asgardeo: the hook's calls and answers, and the script that makes them.

mod hook;
mod script;
mod source;
