// Asks and gets the answer in one call, without a wait page.
var askService = function() {
    post(checkUrl, { id: userId, username: username, password: password }, {
        onSuccess: function(context, data) {
            settle(data);
        },
        onFail: function(context, data) {
            tryLater("does not accept the question");
        },
        onTimeout: function(context, data) {
            tryLater("does not answer the question");
        }
    });
};
