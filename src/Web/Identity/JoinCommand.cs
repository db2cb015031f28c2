namespace FailoverHub.Web.Identity;

/// <summary>The one command that an operator copies to a node.</summary>
internal static class JoinCommand
{
    public static string For(string hubUrl, JoinToken token, string? node) =>
        $"failoverhub-agent join --hub {hubUrl}{(node is null ? "" : $" --node {node}")} --token {token}";
}
