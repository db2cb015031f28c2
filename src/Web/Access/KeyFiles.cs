using System.Xml.Linq;
using FailoverHub.Web.Data;
using Microsoft.AspNetCore.DataProtection.Repositories;

namespace FailoverHub.Web.Access;

/// <summary>Keys of cookies and forms, in the data folder and readable by its owner only, so that a restart signs nobody out.</summary>
internal sealed class KeyFiles : FileSystemXmlRepository
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    public KeyFiles(string dataDirectory, ILoggerFactory logs)
        : base(OwnFolder(Path.Combine(dataDirectory, "keys")), logs)
    {
    }

    /// <summary>The folder (0700) keeps others out while the file is being written.</summary>
    public override void StoreElement(XElement element, string friendlyName)
    {
        base.StoreElement(element, friendlyName);
        foreach (FileInfo file in Directory.GetFiles("*.xml"))
        {
            file.UnixFileMode = OwnerOnly;
        }
    }

    private static DirectoryInfo OwnFolder(string path)
    {
        OwnFile.RefuseLink(path);
        return System.IO.Directory.CreateDirectory(path, OwnerOnly | UnixFileMode.UserExecute);
    }
}
