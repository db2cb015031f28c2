namespace FailoverHub.Agent.Node;

/// <summary>What a node announces a prefix as. The platform routes to the primary while there is one.</summary>
internal enum Role
{
    Primary,
    Secondary,
}

internal static class RoleWords
{
    public static string Word(this Role role) => role switch
    {
        Role.Primary => "primary",
        Role.Secondary => "secondary",
        _ => throw new ArgumentOutOfRangeException(nameof(role), role, "Not a role."),
    };

    public static bool TryParse(string? text, out Role role)
    {
        (var known, role) = text switch
        {
            "primary" => (true, Role.Primary),
            "secondary" => (true, Role.Secondary),
            _ => (false, default),
        };
        return known;
    }
}
