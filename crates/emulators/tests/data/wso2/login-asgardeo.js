// On-demand silent password migration, made by `sterna export script`. Step 1 has to be Username & Password.
// The person's old password passes through here: add no log of it.

var userStore = "DEFAULT";
var migratedClaim = "http://wso2.org/claims/is_migrated";
var skipPasswordValidation = true;
var wrongMessage = "Invalid credentials";
var startUrl = "https://sterna.example.com/hooks/wso2/start-authentication";
var resultUrl = "https://sterna.example.com/hooks/wso2/authentication-status";
var pollUrl = "https://sterna.example.com/hooks/wso2/authentication-status";
var receivedMessage = "Received";
var waitingSecs = "10";
var pollSecs = "2";
var callbackOnFailure = true;

var userNameOf = function(typed, context) {
    return resolveMultiAttributeLoginIdentifier(typed, context.tenantDomain);
};

var post = function(url, payload, handlers) {
    callChoreo({ "url": url, "consumerKeyAlias": "consumerKey", "consumerSecretAlias": "consumerSecret" }, payload, handlers);
};

// What the flow remembers from one request of the browser to the next. Only plain global variables survive that, so no
// function below relies on anything else.
var user = null;
var userId = "";
var loginIdentifier = "";
var username = "";
var password = "";
var contextId = "";

var onLoginRequest = function(context) {
    executeStep(1, {
        onSuccess: function(context) {
            Log.info("Signed in with the password that is stored here.");
        },
        onFail: function(context) {
            findUser(context);
            if (user && mayMove()) {
                userId = user.uniqueId;
                Log.info("The password of " + userId + " is not migrated yet: asking the migration service.");
                askService();
            } else {
                wrongPassword();
            }
        }
    });
};

// Finds the one user who is meant, or none. Step 1 may have failed without a name and a password, too.
var findUser = function(context) {
    user = null;
    var params = context.request.params;
    if (!params || !params.username || !params.password) {
        return;
    }
    loginIdentifier = params.username[0];
    password = params.password[0];
    if (!loginIdentifier || !password) {
        return;
    }
    username = userNameOf(loginIdentifier, context);
    if (!username) {
        return;
    }
    var claims = {};
    claims["http://wso2.org/claims/username"] = userStore + "/" + username;
    user = getUniqueUserWithClaimValues(claims, context);
};

// A password that was moved is the only one from then on. A user who is locked or disabled here is asked about nowhere.
var mayMove = function() {
    return user.localClaims[migratedClaim] !== "true"
        && user.localClaims["http://wso2.org/claims/identity/accountLocked"] !== "true"
        && user.localClaims["http://wso2.org/claims/identity/accountDisabled"] !== "true";
};

// Goes by what the service decided.
var settle = function(data) {
    if (data && data.status === "SUCCESS") {
        storePassword();
    } else if (data && data.status === "FAIL" && data.message && data.message !== wrongMessage) {
        Log.info("The migration service refuses " + userId + ".");
        end("Login failed!", data.message);
    } else if (data && data.status === "FAIL") {
        Log.info("The migration service knows another password of " + userId + ".");
        wrongPassword();
    } else {
        tryLater("gave an answer that is not understood");
    }
};

var storePassword = function() {
    if (skipPasswordValidation) {
        updateUserPassword(user, password, afterStoring(), true);
    } else {
        updateUserPassword(user, password, afterStoring());
    }
};

var afterStoring = function() {
    return {
        onSuccess: function(context) {
            user.localClaims[migratedClaim] = "true";
            Log.info("The password of " + userId + " is migrated.");
            signInAgain();
        },
        onFail: function(context) {
            Log.info("The password of " + userId + " was right and cannot be stored.");
            end("Your password cannot be used here", "It is right, but it does not meet the rules here. Please reset it.");
        }
    };
};

// Repeats step 1 with what was typed, not with the name that it was resolved to, and asks nobody anything.
var signInAgain = function() {
    executeStep(1, {
        authenticatorParams: {
            common: {
                "username": loginIdentifier,
                "password": password
            }
        }
    }, {
        onSuccess: function(context) {
            password = "";
            Log.info("Signed in " + userId + " with the migrated password.");
        },
        onFail: function(context) {
            Log.info("The password of " + userId + " is migrated, but the login fails.");
            end("Login failed!", "Please try again.");
        }
    });
};

// The same for a wrong password, an unknown user and one who is migrated already.
var wrongPassword = function() {
    end("Login failed!", "Please check your username and password and try again.");
};

var tryLater = function(what) {
    Log.info("The migration service " + what + " for " + userId + ".");
    end("Login is not possible right now", "Please try again in a few minutes.");
};

var end = function(status, message) {
    password = "";
    sendError(null, {
        "status": status,
        "statusMsg": message,
        "i18nkey": "auth.fail.error"
    });
};

// Begins the check, and shows the wait page until it is done.
var askService = function() {
    post(startUrl, { id: userId, username: username, password: password }, {
        onSuccess: function(context, data) {
            if (data && data.message === receivedMessage && data.contextId) {
                contextId = data.contextId;
                waitForCheck();
            } else {
                settle(data);
            }
        },
        onFail: function(context, data) {
            tryLater("does not accept the question");
        },
        onTimeout: function(context, data) {
            tryLater("does not answer the question");
        }
    });
};

var waitForCheck = function() {
    prompt("internalWait", {
        "waitingType": "POLLING",
        "waitingConfigs": {
            "timeout": waitingSecs,
            "pollingEndpoint": pollUrl,
            "requestMethod": "GET",
            "requestData": "contextId=" + contextId,
            "pollingInterval": pollSecs,
            "callbackOnFailure": callbackOnFailure
        }
    }, {
        onSuccess: function(context) {
            fetchResult();
        },
        onFail: function(context, data) {
            tryLater("cannot be polled");
        },
        onTimeout: function(context, data) {
            tryLater("is not done in time");
        }
    });
};

var fetchResult = function() {
    post(resultUrl, { contextId: contextId, username: username }, {
        onSuccess: function(context, data) {
            settle(data);
        },
        onFail: function(context, data) {
            tryLater("does not give the result");
        },
        onTimeout: function(context, data) {
            tryLater("does not answer with the result");
        }
    });
};
