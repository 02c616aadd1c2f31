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
