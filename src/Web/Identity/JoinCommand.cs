namespace FailoverHub.Web.Identity;

/// <summary>
/// The one line that an operator copies to a node. Everybody on a machine sees the command lines of all of it, so the token is on none: each shell does echo itself,
/// and join reads it from standard input, with sudo in front as well.
/// </summary>
internal static class JoinCommand
{
    public static string For(string hubUrl, JoinToken token, string? node) =>
        $"echo {token} | failoverhub-agent join --hub {hubUrl}{(node is null ? "" : $" --node {node}")} --token -";
}
