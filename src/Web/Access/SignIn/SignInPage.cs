using System.Text.Encodings.Web;
using FailoverHub.Web.Access.SecondFactor;

namespace FailoverHub.Web.Access.SignIn;

/// <summary>What every form of these pages carries.</summary>
/// <param name="FieldName">Name of the anti-forgery field.</param>
/// <param name="Token">Its value.</param>
/// <param name="ReturnUrl">Where to go in the end.</param>
internal sealed record FormFields(string FieldName, string Token, string ReturnUrl);

/// <summary>
/// The only pages that are shown without being signed in: forms without a circuit, the dashboard's style sheets, and one script, for passkeys. A link asks
/// for a click, because a GET that used the code up would be spent by whatever looks at links before people do: chat previews, mail scanners, a browser's prefetch.
/// </summary>
internal static class SignInPage
{
    private const string Link = """<p class="small">Locked out, or no account yet? On the hub's machine: <code>failoverhub sign-in-link</code>, with the <code>--data</code> folder of the hub if it is not the default one.</p>""";

    public static string WithButton(string code, FormFields fields) => Page(
        $"""
        <p>This link signs this browser in, once.</p>
        {Form("/sign-in", fields, $"""
          <input type="hidden" name="code" value="{Encode(code)}">
          <button type="submit" id="sign-in" autofocus>Sign in</button>
        """)}
        """);

    /// <summary>Every way in that there is.</summary>
    /// <param name="fields">Of the forms.</param>
    /// <param name="withAccounts">There are accounts, so there is a password to ask for.</param>
    /// <param name="provider">What the provider is called; null: there is none.</param>
    /// <param name="problem">Why the last attempt failed; null: there was none.</param>
    public static string Start(FormFields fields, bool withAccounts, string? provider, string? problem)
    {
        string password = !withAccounts ? "" : Form("/sign-in/password", fields, """
              <label for="name">Name</label>
              <input id="name" name="name" autocomplete="username" autocapitalize="none" spellcheck="false" maxlength="63" required autofocus>
              <label for="password">Password</label>
              <input id="password" name="password" type="password" autocomplete="current-password" maxlength="256" required>
              <button type="submit" id="password-sign-in">Sign in</button>
            """);
        string passkey = !withAccounts ? "" : Form("/sign-in/passkey", fields, """
              <input type="hidden" name="credential" value="">
              <button type="submit" id="passkey-sign-in" class="other">Sign in with a passkey</button>
              <p id="passkey-problem" class="small" role="status"></p>
            """, "id=\"passkey-form\" hidden");
        string other = provider is null ? "" : $"""<p><a class="button other" id="provider-sign-in" href="/sign-in/provider?returnUrl={Uri.EscapeDataString(fields.ReturnUrl)}">Sign in with {Encode(provider)}</a></p>""";
        return Page($"{Alert(problem)}{password}{other}{passkey}{Link}", withAccounts ? "/js/passkey-sign-in.js" : null);
    }

    public static string Code(FormFields fields, string? problem) => Page(
        $"""
        {Alert(problem)}
        <p>The code that your authenticator app shows now, or one of your recovery codes.</p>
        {Form("/sign-in/next", fields, """
          <label for="code">Code</label>
          <input id="code" name="code" autocomplete="one-time-code" autocapitalize="none" spellcheck="false" maxlength="40" required autofocus>
          <button type="submit" id="code-sign-in">Sign in</button>
        """)}
        """);

    public static string NewPassword(FormFields fields, string name, string? problem) => Page(
        $"""
        {Alert(problem)}
        <p>Somebody else chose your password. Choose one that nobody else knows: at least 12 characters, a few words are best.</p>
        {Form("/sign-in/next", fields, $"""
          <input type="hidden" name="user" autocomplete="username" value="{Encode(name)}">
          {Passwords}
          <button type="submit" id="new-password">Keep it and sign in</button>
        """)}
        """);

    public static string Enroll(FormFields fields, string uri, string secret, string? problem) => Page(
        $"""
        {Alert(problem)}
        <p>This hub wants a second factor from everybody. Scan this with an authenticator app, and type the code that it shows.</p>
        <div class="qr">{TimeCodes.QrSvg(uri)}</div>
        <p class="small">No camera? Type this secret into the app: <code id="secret">{Encode(secret)}</code></p>
        {Form("/sign-in/next", fields, """
          <label for="code">Code</label>
          <input id="code" name="code" autocomplete="one-time-code" inputmode="numeric" maxlength="10" required autofocus>
          <button type="submit" id="enroll">Go on</button>
        """)}
        """);

    public static string RecoveryCodes(string codes, string returnUrl) => Page(
        $"""
        <p>Your recovery codes. Each signs you in once when the app is out of reach. They are shown only now: keep them where the phone is not.</p>
        <pre id="recovery-codes">{Encode(codes)}</pre>
        <p><a class="button" id="go-on" href="{Encode(returnUrl)}">I have kept them: go on</a></p>
        """);

    public static string Setup(FormFields fields, string? problem) => Page(
        $"""
        {Alert(problem)}
        <p>This hub has no account yet. Make yours; it will be an admin, and makes the others.</p>
        {Form("/setup", fields, $"""
          <label for="name">Name</label>
          <input id="name" name="name" autocomplete="username" autocapitalize="none" spellcheck="false" maxlength="63" required autofocus>
          {Passwords}
          <button type="submit" id="create-admin">Create the admin</button>
        """)}
        <p class="small"><a href="/">Not now</a>: this browser stays signed in without an account.</p>
        """);

    public static string Refused(string why) => Page(
        $"""
        {Alert(why)}
        <p>Get a new link on the hub's machine with</p>
        <pre>failoverhub sign-in-link</pre>
        <p><a href="/sign-in">Other ways to sign in</a></p>
        """);

    /// <summary>Signed in, and yet not allowed.</summary>
    public static string NotAllowed(string name) => Page(
        $"""
        {Alert("Your role does not allow this page.")}
        <p>You are signed in as {Encode(name)}. An admin of the hub can give you another role; sign in again after that.</p>
        <p><a href="/">To the overview</a></p>
        """);

    /// <summary>Who asks cannot be looked up.</summary>
    public static string DatabaseAway => Page(
        $"""
        {Alert("The hub's database cannot be read now.")}
        <p>The nodes go on without it. Load this page again in a few seconds; the hub's log says why.</p>
        """);

    private const string Passwords = """
        <label for="password">Password</label>
          <input id="password" name="password" type="password" autocomplete="new-password" minlength="12" maxlength="256" required>
          <label for="again">The same again</label>
          <input id="again" name="again" type="password" autocomplete="new-password" minlength="12" maxlength="256" required>
        """;

    private static string Alert(string? problem) => problem is null ? "" : $"""<p role="alert"><strong>{Encode(problem)}</strong></p>""";

    private static string Form(string action, FormFields fields, string body, string attributes = "") =>
        $"""
        <form method="post" action="{action}" {attributes}>
          <input type="hidden" name="returnUrl" value="{Encode(fields.ReturnUrl)}">
          <input type="hidden" name="{Encode(fields.FieldName)}" value="{Encode(fields.Token)}">
          {body}
        </form>
        """;

    private static string Encode(string text) => HtmlEncoder.Default.Encode(text);

    private static string Page(string body, string? script = null) =>
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
        {{(script is null ? "" : $"<script type=\"module\" src=\"{script}\"></script>")}}
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
