//! The codes under which a failed call of an extension shows in the sign-in log (`entra.md` 1.8).

/// One code, with its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Code {
    pub(super) number: u32,
    pub(super) name: &'static str,
}

const fn code(number: u32, name: &'static str) -> Code {
    Code { number, name }
}

/// The account does not exist. Codes below a million are the sign-in's own.
pub(super) const NO_SUCH_USER: Code = code(50_034, "UserAccountNotFound");
/// The password is wrong.
pub(super) const WRONG_PASSWORD: Code = code(50_126, "InvalidUserNameOrPassword");
/// The account is disabled.
pub(super) const DISABLED: Code = code(50_057, "UserDisabled");

pub(super) const UNEXPECTED: Code = code(1_003_001, "CustomExtensionUnexpectedError");
pub(super) const STATUS: Code = code(1_003_002, "CustomExtensionInvalidHTTPStatus");
pub(super) const BODY: Code = code(1_003_003, "CustomExtensionInvalidResponseBody");
pub(super) const THROTTLED: Code = code(1_003_004, "CustomExtensionThrottlingError");
pub(super) const TIMED_OUT: Code = code(1_003_005, "CustomExtensionTimedOut");
pub(super) const CONTENT_TYPE: Code = code(1_003_006, "CustomExtensionInvalidResponseContentType");
pub(super) const EMPTY: Code = code(1_003_009, "CustomExtensionEmptyResponse");
pub(super) const ACTION_COUNT: Code = code(1_003_010, "CustomExtensionInvalidNumberOfActions");
pub(super) const ACTION_TYPE: Code = code(1_003_012, "CustomExtensionInvalidActionType");
pub(super) const RESOURCE_ID: Code = code(1_003_014, "CustomExtensionIncorrectResourceIdFormat");
pub(super) const HOSTS_DIFFER: Code = code(1_003_015, "CustomExtensionDomainNameDoesNotMatch");
pub(super) const TARGET_URL: Code = code(1_003_020, "CustomExtensionIncorrectTargetUrlFormat");
pub(super) const TOO_LARGE: Code = code(1_003_024, "CustomExtensionResponseSizeExceeded");
pub(super) const CONNECTION: Code = code(1_003_027, "CustomExtensionConnectionError");

/// The published codes that nothing here finds out by itself: a scenario may let a call fail with them.
const OTHERS: [Code; 13] = [
    code(1_003_000, "EventHandlerUnexpectedError"),
    code(1_003_007, "CustomExtensionNullClaimsResponse"),
    code(1_003_008, "CustomExtensionInvalidResponseApiSchemaVersion"),
    code(1_003_011, "CustomExtensionNotFound"),
    code(1_003_016, "CustomExtensionResourceServicePrincipalNotFound"),
    code(1_003_017, "CustomExtensionClientServicePrincipalNotFound"),
    code(1_003_018, "CustomExtensionClientServiceDisabled"),
    code(1_003_019, "CustomExtensionResourceServicePrincipalDisabled"),
    code(1_003_021, "CustomExtensionPermissionNotGrantedToServicePrincipal"),
    code(1_003_022, "CustomExtensionMsGraphServicePrincipalDisabledOrNotFound"),
    code(1_003_023, "CustomExtensionBlocked"),
    code(1_003_025, "CustomExtensionResponseClaimsSizeExceeded"),
    code(1_003_026, "CustomExtensionNullOrEmptyClaimKeyNotSupported"),
];

const FOUND: [Code; 14] = [
    UNEXPECTED,
    STATUS,
    BODY,
    THROTTLED,
    TIMED_OUT,
    CONTENT_TYPE,
    EMPTY,
    ACTION_COUNT,
    ACTION_TYPE,
    RESOURCE_ID,
    HOSTS_DIFFER,
    TARGET_URL,
    TOO_LARGE,
    CONNECTION,
];

/// The published code with this number.
pub(super) fn find(number: u32) -> Option<Code> {
    FOUND.iter().chain(&OTHERS).find(|code| code.number == number).copied()
}
