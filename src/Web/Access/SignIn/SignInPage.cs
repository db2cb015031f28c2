using System.Text.Encodings.Web;

namespace FailoverHub.Web.Access.SignIn;

/// <summary>
/// The only page that is shown without being signed in: no script, only the dashboard's style sheets. It asks for a click, because a GET that used the code up
/// would be spent by whatever looks at links before people do: chat previews, mail scanners, a browser's prefetch.
/// </summary>
internal static class SignInPage
{
    public static string WithButton(string code, string returnUrl, string fieldName, string antiforgeryToken) => Page(
        $"""
        <p>This link signs this browser in, once.</p>
        <form method="post" action="/sign-in">
          <input type="hidden" name="code" value="{Encode(code)}">
          <input type="hidden" name="returnUrl" value="{Encode(returnUrl)}">
          <input type="hidden" name="{Encode(fieldName)}" value="{Encode(antiforgeryToken)}">
          <button type="submit" id="sign-in" autofocus>Sign in</button>
        </form>
        """);

    public static string HowToGetALink() => Page(
        """
        <p>Sign in with a one-time link. Whoever runs the hub gets one on its machine with</p>
        <pre>failoverhub sign-in-link</pre>
        <p>and with the <code>--data</code> folder of the hub, if it is not the default one.</p>
        """);

    public static string Refused(string why) => Page(
        $"""
        <p role="alert"><strong>{Encode(why)}</strong></p>
        <p>Get a new link on the hub's machine with</p>
        <pre>failoverhub sign-in-link</pre>
        """);

    private static string Encode(string text) => HtmlEncoder.Default.Encode(text);

    private static string Page(string body) =>
        $$"""
        <!doctype html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <title>Sign in · FailoverHub</title>
        <link rel="icon" type="image/svg+xml" href="/favicon.svg">
        <link rel="stylesheet" href="/css/tokens.css">
        <link rel="stylesheet" href="/css/sign-in.css">
        </head>
        <body>
        <main>
        <h1><img src="/favicon.svg" width="28" height="28" alt="">FailoverHub</h1>
        {{body}}
        </main>
        </body>
        </html>
        """;
}
