using System.Text.Encodings.Web;

namespace FailoverHub.Web.Access;

/// <summary>
/// The only page that is shown without being signed in: no script, nothing loaded. It asks for a click, because a GET that used the code up
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
        <link rel="icon" type="image/svg+xml" href="/favicon.svg">
        <title>Sign in · FailoverHub</title>
        <link rel="icon" type="image/svg+xml" href="/favicon.svg">
        <style>
        :root { color-scheme: light dark; font-family: system-ui, sans-serif; line-height: 1.5 }
        body { margin: 0; min-height: 100vh; display: grid; place-items: center; background: light-dark(#f4f6f9, #14181f); color: light-dark(#1b2430, #e6ebf2) }
        main { width: min(26rem, calc(100vw - 2rem)); box-sizing: border-box; padding: 2rem; border-radius: .75rem; background: light-dark(#fff, #1d232d); border: 1px solid light-dark(#d9e0e8, #323b49) }
        h1 { margin: 0 0 1rem; font-size: 1.4rem }
        pre { padding: .75rem; border-radius: .4rem; background: light-dark(#eef1f5, #12161c); overflow-x: auto }
        button { width: 100%; padding: .75rem; font: inherit; font-weight: 600; border: 0; border-radius: .4rem; background: #1f5fbf; color: #fff; cursor: pointer }
        button:hover { background: #184d9c }
        button:focus-visible { outline: 3px solid light-dark(#0b2f66, #9cc4ff); outline-offset: 2px }
        </style>
        </head>
        <body>
        <main>
        <h1>FailoverHub</h1>
        {{body}}
        </main>
        </body>
        </html>
        """;
}
