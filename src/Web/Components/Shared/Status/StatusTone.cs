namespace FailoverHub.Web.Components.Shared.Status;

/// <summary>What a status means for a person; each has its own shape and colour, and always stands beside a word.</summary>
public enum StatusTone
{
    /// <summary>As it should be. A filled disc.</summary>
    Good,

    /// <summary>Something is under way or was decided so. A diamond.</summary>
    Notice,

    /// <summary>Someone should look. A triangle.</summary>
    Warning,

    /// <summary>A person is needed now. An octagon.</summary>
    Critical,

    /// <summary>Nothing is known. A dashed ring.</summary>
    Unknown,

    /// <summary>Switched off on purpose. A flat bar.</summary>
    Off,
}
